"""GitHub's refusals, in its own words."""

from typing import Any


class ApiError(Exception):
    """An answer that is not what was asked for."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        errors: list[Any] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        self.status = status
        self.headers = headers or {}
        self.body: dict[str, Any] = {"message": message}
        if errors is not None:
            self.body["errors"] = errors
        self.body |= {
            "documentation_url": "https://docs.github.com/rest",
            "status": str(status),
        }
        super().__init__(message)


def not_found() -> ApiError:
    """Also for what the caller must not know of."""
    return ApiError(404, "Not Found")


def bad_credentials() -> ApiError:
    """For a token that is unknown, revoked or too old."""
    return ApiError(401, "Bad credentials")


def bad_jwt(message: str = "A JSON web token could not be decoded") -> ApiError:
    """For an App's login that is not one."""
    return ApiError(401, message)


def not_for_integrations(accepted: tuple[str, ...]) -> ApiError:
    """For an App that lacks a permission."""
    named = "; ".join(each.replace(":", "=") for each in accepted)
    return ApiError(
        403,
        "Resource not accessible by integration",
        headers={"X-Accepted-GitHub-Permissions": named},
    )


def invalid(resource: str, field: str, code: str, message: str = "") -> ApiError:
    """A value that GitHub does not take."""
    error = {"resource": resource, "field": field, "code": code}
    if message:
        error["message"] = message
    return ApiError(422, "Validation Failed", errors=[error])


def malformed(message: str) -> ApiError:
    """A body that is not of the form that the schema says."""
    return ApiError(422, f"Invalid request.\n\n{message}")
