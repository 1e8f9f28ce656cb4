"""An Issue made into mail: MJML by Jinja2, HTML by mjml-python and premailer, plain text, merge fields."""
