"""Who may: keys of sources, accounts of people, and the policy that every route declares."""
