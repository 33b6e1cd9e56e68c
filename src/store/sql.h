/*
 * store/sql.h - schema.sql and views.sql as the build embeds them.
 */
#ifndef HR_STORE_SQL_H
#define HR_STORE_SQL_H

extern const char store_schema_sql[];
extern const char store_views_sql[];

#endif
