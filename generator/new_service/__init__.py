"""Creates production-ready Python service repositories and keeps them current."""
