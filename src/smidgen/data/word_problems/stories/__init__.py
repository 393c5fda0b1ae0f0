"""The templates of word problems, by what they are about."""
