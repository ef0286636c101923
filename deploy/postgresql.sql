-- A database for one home, made by an administrator of the server: psql -f deploy/postgresql.sql
-- Then \password unicus, and in home.yaml: postgres: postgresql://unicus@127.0.0.1:5432/unicus_shop
create role unicus login;
create database unicus_shop owner unicus;
\connect unicus_shop
create schema dagster authorization unicus;
create schema mlflow authorization unicus;
