"""Attacks by what people send, what files hold, and what servers answer; and what each of them reached."""
