from models import SQLModel
from stillroom.env import run

run(SQLModel.metadata)
