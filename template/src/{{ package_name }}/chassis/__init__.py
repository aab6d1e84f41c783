"""The microservice chassis: what every service needs besides its business. The template's; never edited here."""
