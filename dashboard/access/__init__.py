"""Forms and tables of the pages Tokens, Users and Audit."""
