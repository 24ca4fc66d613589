# Two images: `app` (the product: every process of ours) and `nginx` (the door, with static files and manual inside).
# docker compose builds both; `make up` does it.
ARG PYTHON=python:3.13-slim-trixie
ARG NGINX=nginx:1.26

FROM ${PYTHON} AS packages
WORKDIR /app
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore PIP_NO_COMPILE=1 PIP_CACHE_DIR=/pip-cache
COPY requirements/run.txt requirements/
RUN --mount=type=cache,target=/pip-cache \
    python -m pip install --quiet --no-deps --require-hashes --only-binary :all: --target /packages -r requirements/run.txt
# Never used here: the packages' own tests, headers and stubs, and Django's translations.
RUN find /packages -type d \( -name tests -o -name include -o -name f2py \) -prune -exec rm -rf {} + \
 && find /packages \( -name '*.pyi' -o -name '*.pxd' \) -delete \
 && find /packages/django -type d -path '*/locale/*' -prune ! -name 'en*' -exec rm -rf {} +

FROM packages AS product
COPY pyproject.toml README.md ./
COPY src src/
RUN PYTHONPATH=/packages python -m pip install --quiet --no-deps --no-build-isolation --no-index --target /product .

# What makes the manual stays behind: only its pages go on. They are made of docs/ and of the product's own tables.
FROM ${PYTHON} AS manual
WORKDIR /manual
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore PIP_NO_COMPILE=1 PIP_CACHE_DIR=/pip-cache
COPY requirements/docs.txt requirements/
RUN --mount=type=cache,target=/pip-cache \
    python -m pip install --quiet --no-deps --require-hashes --only-binary :all: --target /packages -r requirements/docs.txt
COPY pyproject.toml ./
COPY src src/
COPY docs docs/
RUN PYTHONPATH=/packages python -m sphinx -q -b dirhtml -d /read docs /help

FROM ${PYTHON} AS app
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 MALLOC_ARENA_MAX=2 \
    PYTHONPATH=/app/packages DJANGO_SETTINGS_MODULE=attpcdaq.config.settings \
    ATTPCDAQ_STATIC_ROOT=/app/static PATH=$PATH:/app/packages/bin
RUN groupadd --system --gid 10001 attpcdaq && useradd --system --uid 10001 --gid attpcdaq --home-dir /app attpcdaq \
 && install --directory --mode 1777 /simulator
WORKDIR /app
COPY --from=packages /packages packages/
COPY manage.py ./
COPY deploy/gunicorn.conf.py deploy/
COPY --from=manual /help build/help/
COPY --from=product /product packages/
# Compiled here: the file system is read-only when it runs. The settings reach nothing.
RUN python -m compileall -q packages \
 && ATTPCDAQ_SECRET_KEY=only-for-collecting-the-static-files ATTPCDAQ_DATABASE_URL=sqlite:////dev/null/none \
    ATTPCDAQ_BROKER_URL=amqp://none python manage.py collectstatic --no-input --verbosity 0
USER 10001:10001
CMD ["python", "manage.py"]

FROM ${NGINX} AS nginx
COPY --from=app /app/static /srv/static
COPY deploy/nginx/nginx.conf /etc/nginx/nginx.conf
COPY --from=manual /help /srv/help
COPY deploy/nginx/http.conf deploy/nginx/door.conf /etc/nginx/
USER 10001:10001
ENTRYPOINT []
CMD ["nginx", "-g", "daemon off;"]
