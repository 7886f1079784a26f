"""The halves of the door that need most words: what services.chat says of conversations, and of models. Nobody else opens them."""
