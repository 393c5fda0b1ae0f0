"""What is looked for in a design; each function yields the findings of one kind."""
