"""One file per group of questions: the questions, their answer types, and nothing about how they are answered."""
