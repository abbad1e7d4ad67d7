"""Events and notes: their table, filters, forms and file."""
