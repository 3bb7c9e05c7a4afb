# One image for every service of the lab. The code itself is mounted from the checkout.
FROM debian:bookworm-slim

RUN mkdir -p /etc/postgresql-common \
 && echo "create_main_cluster = false" > /etc/postgresql-common/createcluster.conf \
 && apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
      ca-certificates curl postgresql-15 procps python3-venv redis-server tzdata \
 && rm -rf /var/lib/apt/lists/*

# Empty unless the machine reaches the package index through a proxy with a CA of its own.
COPY extra-ca.crt /tmp/extra-ca.crt
COPY requirements.txt /app/requirements.txt
RUN if [ -s /tmp/extra-ca.crt ]; then export PIP_CERT=/tmp/extra-ca.crt; fi \
 && python3 -m venv /app/.venv \
 && /app/.venv/bin/pip install --no-cache-dir --disable-pip-version-check --timeout 120 -r /app/requirements.txt

COPY bin/ /usr/local/bin/
ENV PATH=/usr/lib/postgresql/15/bin:/app/.venv/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    PYTHONPATH=/app PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /app
