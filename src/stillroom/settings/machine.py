"""What this machine offers: certification authorities, an environment for outside programs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

# Debian and Alpine, Fedora and RHEL, openSUSE, macOS and the BSDs.
CA_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
PASSED_ON = frozenset({
    "PATH", "HOME", "LANG", "LANGUAGE", "TERM", "COLORTERM", "TERMINFO", "TERMINFO_DIRS", "TMPDIR", "TMP", "TEMP",
    "TZ", "USER", "LOGNAME", "USERNAME", "SHELL", "PAGER", "LESS", "DISPLAY", "WAYLAND_DISPLAY",
    "DBUS_SESSION_BUS_ADDRESS", "SSH_AUTH_SOCK", "SSH_CONNECTION", "SSH_TTY", "GPG_TTY", "GNUPGHOME", "VISUAL",
    "EDITOR", "GIT_EDITOR", "NO_COLOR", "CI", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SSL_CERT_FILE",
    "SSL_CERT_DIR", "VSCODE_IPC_HOOK_CLI", "WSL_DISTRO_NAME", "WSL_INTEROP", "SYSTEMROOT", "PATHEXT", "COMSPEC",
    "APPDATA", "LOCALAPPDATA", "USERPROFILE",
})  # fmt: skip
PASSED_ON_PREFIXES = ("LC_", "XDG_")
# Whatever carries a backup away, or makes a snapshot, must find its store and may have to pass a proxy.
TO_COMMANDS = frozenset({
    "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "no_proxy", "all_proxy",
    "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "BOTO_CONFIG", "IDENTITY_ENDPOINT", "IDENTITY_HEADER", "MSI_ENDPOINT",
    "MSI_SECRET", "DIGITALOCEAN_ACCESS_TOKEN", "KUBECONFIG", "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT",
})  # fmt: skip
TO_COMMANDS_PREFIXES = (
    "AWS_",
    "RCLONE_",
    "GOOGLE_",
    "CLOUDSDK_",
    "AZURE_",
    "AZCOPY_",
    "B2_",
    "OCI_",
    "RESTIC_",
    "HCLOUD_",
)


def child_environment(environment: Mapping[str, str]) -> Mapping[str, str]:
    """Choose what outside programs get: what an editor or pg_dump needs, and no secret of the application's."""
    return {
        name: text for name, text in environment.items() if name in PASSED_ON or name.startswith(PASSED_ON_PREFIXES)
    }


def command_environment(environment: Mapping[str, str]) -> Mapping[str, str]:
    """Choose what the backup commands get: the same, and the ways into object stores."""
    more = {
        name: text for name, text in environment.items() if name in TO_COMMANDS or name.startswith(TO_COMMANDS_PREFIXES)
    }
    return {**child_environment(environment), **more}


def find_ca_file(environment: Mapping[str, str], *, own: bool) -> str | None:
    """Find a file of certification authorities.

    Args:
        environment: The process environment: SSL_CERT_FILE and HOME are looked at.
        own: Prefer ~/.postgresql/root.crt, where libpq looks; else only the machine's bundle counts.
    """
    home = environment.get("HOME", "")
    candidates = [f"{home}/.postgresql/root.crt"] if own and home else []
    candidates += [environment.get("SSL_CERT_FILE", ""), *CA_BUNDLES]
    return next((path for path in candidates if path and Path(path).is_file()), None)
