"""A mail as the internet wants it."""

from email import policy
from email.message import EmailMessage
from email.utils import format_datetime, localtime

from email_validator import EmailNotValidError, validate_email

from makerhub.notices.channel import Written

DOMAIN = "makerhub.invalid"
"""Of message identifiers: they name mails of this hub, and no host."""


def message(mail: Written, sender: str) -> EmailMessage:
    """Plain text, marked as automatic, so that no out-of-office note comes back."""
    made = EmailMessage(policy=policy.SMTP)
    made["From"] = sender
    made["To"] = ascii_address(mail.address)
    made["Subject"] = mail.subject
    made["Date"] = format_datetime(localtime())
    made["Message-ID"] = f"<{mail.mail_id}@{DOMAIN}>"
    made["Auto-Submitted"] = "auto-generated"
    made.set_content(mail.text, cte="quoted-printable")  # which a server that knows ASCII alone takes, too
    return made


def ascii_address(address: str) -> str:
    """The address with its domain in ASCII, which every mail server takes; as it is where that can not be."""
    try:
        return validate_email(address, check_deliverability=False).ascii_email or address
    except EmailNotValidError:
        return address
