"""PostgreSQL through psycopg2: connections, the lock, the catalogs."""
