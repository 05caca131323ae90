"""SAP by IDocs that it reads from files: goods movements as MBGMCR03."""
