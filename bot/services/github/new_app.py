"""An App as GitHub hands it over when it was made from a manifest."""

from pydantic import BaseModel, ConfigDict, Field, SecretStr


class NewApp(BaseModel):
    """What has to be kept; GitHub does not say the secrets again."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: int
    slug: str
    html_url: str
    client_id: str
    client_secret: SecretStr
    private_key: SecretStr = Field(validation_alias="pem")
    webhook_secret: SecretStr
