create or replace function internal.new_secret() returns text
language sql volatile
begin atomic
    select
        'whsec_' || encode(
            decode(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 'hex'), 'base64'
        );
end;
comment on function internal.new_secret() is
'A new key of signatures as Standard Webhooks writes it, of 244 random bits.';
