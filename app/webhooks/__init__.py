"""Tell subscribers of events by signed webhooks (https://www.standardwebhooks.com)."""
