"""What a new web configuration must not take away while the exporter runs."""

import ssl

from exporter.web.webconfig.settings import WebConfig


def lost(old: WebConfig, new: WebConfig) -> str | None:
    """The key whose protection is gone or weaker in the new one; None where it protects as much.

    A file that is half written, or emptied by mistake, must not open the exporter to everyone.
    """
    if old.users and not new.users:
        return "basic_auth_users"
    if old.tls is None:
        return None
    if new.tls is None:
        return "tls_server_config"
    if _asked(new.tls) < _asked(old.tls):
        return "tls_server_config.client_auth_type"
    if old.allowed_sans and not new.allowed_sans:
        return "tls_server_config.client_allowed_sans"
    return None


def _asked(context: ssl.SSLContext) -> int:
    """How much is asked of clients' certificates: nothing, one if it comes, one of everybody."""
    return int(context.verify_mode)
