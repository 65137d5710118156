-- When the volume is new, the container of the database runs this once, in the new database.
\getenv deployer DEPLOYER_PASSWORD
\getenv service SERVICE_PASSWORD
create role deployer login createrole password :'deployer';
create role service login password :'service';
-- Statements of query_sql get a limit of temporary files.
grant set on parameter temp_file_limit to deployer;
alter database supervisor owner to deployer;
