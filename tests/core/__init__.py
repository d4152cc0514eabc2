"""The rules, the store and the verbs, without HTTP."""
