/*
 * Sites of many kinds, in short: what each exchange is, and what it does to which session. Each
 * scenario keeps one law of the table of operations, or one habit of a framework.
 */
#include "base/alloc.h"
#include "lab.h"
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE "html:<title>shop</title>Welcome"
#define FORM                                                                                       \
    "html:<form_action=/login_method=post><input_name=user><input_name=password_type=password></"  \
    "form>"

static const struct {
    const char *name;
    const char *lines[40];
} sites[] = {
    {"a form login with a cookie, redirects to the login page",
     {
         "GET /home => 302 location:/login?next=%2Fhome == access denied anonymous",
         "GET /login => 200 " FORM " == other",
         "POST /login form:username=alice&password=wrong => 401 " FORM " == login failure alice",
         "POST /login form:username=alice&password=pw => 302 location:/home "
         "set:sid=$a;Path=/;HttpOnly"
         " == login success alice $a=login+",
         "GET /home cookie:sid=$a => 200 " PAGE " == access granted $a=grant",
         "GET /style.css cookie:sid=$a => 200 text:body == static granted $a=none",
         "GET /home cookie:sid=$a => 304 == access $a=none",
         "GET /home cookie:sid=$a => 403 == access $a=none",
         "GET /home cookie:sid=$a => 500 == access error $a=none",
         "GET /home cookie:sid=$a => - == access $a=none",
         "OPTIONS /logout cookie:sid=$a => 204 == other $a=none",
         "POST /logout cookie:sid=$a => 403 == logout failure $a=maybe-logout",
         "POST /logout cookie:sid=$a => - == logout $a=maybe-logout",
         "POST /logout cookie:sid=$a => 302 location:/login set:sid=;Max-Age=0 == logout success "
         "$a=logout",
         "GET /home cookie:sid=$a => 302 location:/login?next=%2Fhome == access denied $a=denial",
         "POST /login cookie:sid=$a form:username=alice&password=pw => 302 location:/home "
         "set:sid=$b"
         " == login success alice $b=login+ $a=replaced",
     }                   },
    {"a login answered like the others, without its cookie",
     {
         "POST /login form:username=a&password=pw => 302 location:/home set:sid=$a == login "
         "success a $a=login+",
         "GET /home cookie:sid=$a => 200 " PAGE,
         "POST /login form:username=b&password=pw => 302 location:/home set:sid=$b",
         "POST /login form:username=c&password=pw => 302 location:/home == login success c missing",
         "POST /login form:username=c&password=pw => 302 location:/home gap == login success c",
         "POST /login form:username=c&password=pw => 302 location:/home cut == login success c",
         "GET /home => 200 " PAGE " == access granted anonymous",
         "GET /home cut => 200 " PAGE " == access granted",
         "POST /login form:username=d&password=no => 302 location:/login?error=1 == login failure "
         "d",
         "POST /login form:username=e&password=no => 302 location:/sorry == login failure e",
     }                   },
    {"JSON login, cookie, 401 for APIs",
     {
         "GET /api/v1/me => 401 json:{\"error\":\"unauthorized\"} == access denied anonymous",
         "POST /api/v1/auth/login json:{\"email\":\"bob@x\",\"password\":\"no\"} => 200"
         " json:{\"ok\":false,\"error\":\"bad\"} == login failure bob@x",
         "POST /api/v1/auth/login json:{\"email\":\"bob@x\",\"password\":\"pw\"} => 200 "
         "json:{\"ok\":true}"
         " set:SID=$a == login success bob@x $a=login+",
         "GET /api/v1/me cookie:SID=$a => 200 json:{\"user\":\"bob\"} == access granted $a=grant",
         "POST /api/v1/orders cookie:SID=$a json:{\"sku\":\"17\",\"token\":\"x\"} => 201"
         " json:{\"id\":1} == access granted $a=grant",
         "POST /api/v1/auth/login json:{\"email\":\"eve@x\",\"password\":\"pw\"} => 200 "
         "json:{\"ok\":true}"
         " == login success eve@x missing",
         "DELETE /api/v1/auth/session cookie:SID=$a => 204 == logout success $a=logout",
     }                   },
    {"a bearer token issued in a JSON body, refreshed, revoked",
     {
         "POST /oauth/token form:grant_type=password&username=ann&password=pw => 200"
         " json:{\"access_token\":\"$a\",\"refresh_token\":\"$r\",\"expires_in\":3600}"
         " == login success ann $a=login+",
         "GET /api/data => 401 == access denied anonymous",
         "GET /api/data bearer:$a => 200 json:{\"user\":\"ann\"} == access granted $a=grant",
         "POST /oauth/token form:grant_type=refresh_token&refresh_token=$r => 200"
         " json:{\"access_token\":\"$b\",\"refresh_token\":\"$s\"} == other $b=login+",
         "GET /api/data bearer:$a => 401 == access denied $a=denial",
         "GET /api/data bearer:$b => 200 json:{\"user\":\"ann\"} == access granted $b=grant",
         "POST /oauth/revoke form:token=$b => 200 == logout success $b=logout",
     }                   },
    {"a refresh with a token of its own says nothing of the one that is replaced",
     {
         "POST /api/auth/login json:{\"username\":\"ann\",\"password\":\"pw\"} => 200"
         " json:{\"access_token\":\"$a\",\"refresh_token\":\"$r\",\"expires_in\":300}"
         " == login success ann $a=login+",
         "GET /api/me => 401 == access denied anonymous",
         "GET /api/me bearer:$a => 200 json:{} == access granted $a=grant",
         "POST /api/auth/refresh bearer:$a json:{\"refresh_token\":\"$r\"} => 200"
         " json:{\"access_token\":\"$b\",\"refresh_token\":\"$s\"} == other $b=login+ $a=none",
         "POST /api/auth/refresh bearer:$b json:{\"refresh_token\":\"$r\"} => 401"
         " json:{\"error\":\"used\"} == other $b=none",
         "GET /api/me bearer:$b => 200 json:{} == access granted $b=grant",
         "POST /api/auth/refresh json:{\"refresh_token\":\"$s\"} => 200"
         " json:{\"access_token\":\"$c\",\"refresh_token\":\"$t\"} gap == other $c=maybe-login+",
         "POST /api/auth/logout bearer:$b => 200 json:{\"ok\":true} == logout success $b=logout",
     }                   },
    {"an answer that lost its token is still one of those that have it; another step is not",
     {
         "POST /api/login json:{\"user\":\"ann\",\"password\":\"pw\"} => 200"
         " json:{\"access_token\":\"$a\",\"refresh_token\":\"$r\",\"expires_in\":300}"
         " == login success ann $a=login+",
         "POST /api/login json:{\"user\":\"bea\",\"password\":\"pw\"} => 200"
         " json:{\"refresh_token\":\"$q\",\"expires_in\":300} == login success bea missing",
         "POST /api/login json:{\"user\":\"bea\",\"password\":\"pw\"} => 200"
         " json:{\"access_token\":null,\"expires_in\":300} == login success bea missing",
         "POST /api/login json:{\"user\":\"cem\",\"password\":\"pw\"} => 200"
         " json:{\"mfa_required\":true} == login failure cem",
         "GET /api/me bearer:$a => 200 json:{} == access granted $a=grant",
     }                   },
    {"a single-page application: the token is nested, and logout is a DELETE of the session",
     {
         "POST /api/sessions json:{\"user\":{\"email\":\"zoe\",\"password\":\"pw\"}} => 201"
         " json:{\"data\":{\"token\":\"$a\",\"name\":\"zoe\"}} == login success zoe $a=login+",
         "GET /api/items bearer:$a => 200 json:[] == access granted $a=grant",
         "DELETE /api/sessions/current bearer:$a => 204 == logout success $a=logout",
     }                   },
    {"a token in a field of its own",
     {
         "POST /auth json:{\"login\":\"kim\",\"pwd\":\"x\"} => 200 json:{\"sessionId\":\"$a\"}"
         " == login success kim $a=login+",
         "GET /v1/stuff header:X-Session-Token=$a => 200 json:{} == access granted $a=grant",
         "GET /v1/stuff => 401 == access denied anonymous",
         "POST /signout header:X-Session-Token=$a => 204 == logout success $a=logout",
     }                   },
    {"the user's name in the query is all there is",
     {
         "GET /protected?user=alice => 401 text:no == access denied other=denial",
         "GET /login?user=alice => 200 text:logged_in == login success alice other=login",
         "GET /protected?user=alice => 200 text:Welcome_alice == access granted other=grant",
         "GET /logout?user=alice => 200 text:logged_out == logout success other=logout",
         "GET /login?user= => 400 text:missing_user",
         "GET /protected => 401 text:no == access denied anonymous",
     }                   },
    {"a search by name is no session where there is a cookie",
     {
         "POST /login form:user=alice&password=pw => 302 location:/ set:JSESSIONID=$a",
         "GET /search?name=bob cookie:JSESSIONID=$a => 200 " PAGE " == access granted $a=grant",
         "GET /search?name=bob => 200 " PAGE " == access granted anonymous",
     }                   },
    {"a visitor's cookie is replaced by the login",
     {
         "GET / => 200 " PAGE " set:PHPSESSID=$v == access granted anonymous $v=issue+",
         "GET /account cookie:PHPSESSID=$v => 302 location:/login == access denied $v=denial",
         "GET / cookie:PHPSESSID=$v => 200 " PAGE " == access granted $v=grant",
         "POST /login cookie:PHPSESSID=$v form:user=al&pass=x => 302 location:/account "
         "set:PHPSESSID=$a"
         " == login success al $a=login+ $v=replaced",
         "GET /account cookie:PHPSESSID=$a => 200 " PAGE " == access granted $a=grant",
     }                   },
    {"a login that keeps the visitor's token makes that one live",
     {
         "GET / => 200 " PAGE " set:sessionid=$v == access granted anonymous $v=issue+",
         "GET /account cookie:sessionid=$v => 302 location:/login == access denied $v=denial",
         "POST /login cookie:sessionid=$v form:user=al&password=x => 302 location:/account"
         " == login success al $v=login",
         "GET /account cookie:sessionid=$v => 200 " PAGE " == access granted $v=grant",
         "GET / => 200 " PAGE " set:sessionid=$w == access granted anonymous $w=issue+",
         "POST /login cookie:sessionid=$w form:user=bo&password=no => 200 " FORM
         " == login failure bo $w=none",
     }                   },
    {"cookies for CSRF, analytics, language and affinity are no session",
     {
         "GET /login => 200 " FORM
         " set:csrftoken=$c set:_ga=$g set:lang=en set:AWSALB=$l == other",
         "POST /login cookie:csrftoken=$c;_ga=$g form:username=u&password=p&csrfmiddlewaretoken=$c "
         "=> 302"
         " location:/ set:csrftoken=$d set:mysite=$a == login success u $a=login+",
         "GET /me cookie:csrftoken=$d;_ga=$g;mysite=$a => 200 " PAGE " == access granted $a=grant",
         "GET /me cookie:csrftoken=$d;_ga=$g => 401 == access denied anonymous",
     }                   },
    {"remember-me opens a new session",
     {
         "POST /login form:user=al&password=p => 303 location:/a set:sid=$a "
         "set:remember_me=$r;Max-Age=99"
         " == login success al $a=login+",
         "GET /a cookie:sid=$a;remember_me=$r => 200 " PAGE " == access granted $a=grant",
         "POST /logout cookie:sid=$a;remember_me=$r => 303 location:/ set:sid=;Max-Age=0"
         " == logout success $a=logout",
         "GET /a cookie:remember_me=$r => 200 " PAGE " set:sid=$b == access granted $b=opened+",
         "GET /a => 302 location:/login == access denied anonymous",
     }                   },
    {"a remember-me cookie of any name, set by logins beside the session that logouts delete",
     {
         "POST /login form:user=al&password=p => 303 location:/a set:sess=$a "
         "set:pluto=$r;Max-Age=99"
         " == login success al $a=login+",
         "GET /a cookie:sess=$a;pluto=$r => 200 " PAGE " == access granted $a=grant",
         "POST /logout cookie:sess=$a;pluto=$r => 303 location:/ set:sess=;Max-Age=0"
         " == logout success $a=logout",
         "GET /a cookie:pluto=$r => 200 " PAGE " set:sess=$b == access granted $b=opened+",
         "GET /a cookie:sess=$b;pluto=$r => 200 " PAGE " == access granted $b=grant",
     }                   },
    {"a session renewed with every answer",
     {
         "POST /login form:user=al&password=p => 302 location:/a set:session=$a == login success "
         "al $a=login+",
         "GET /a cookie:session=$a => 200 " PAGE
         " set:session=$b == access granted $b=rotated+ $a=grant",
         "GET /a cookie:session=$b => 200 " PAGE
         " set:session=$b == access granted $b=refresh $b=grant",
     }                   },
    {"single sign-on: another origin's page, and a callback that sets the session",
     {
         "GET /dash => 302 location:http://idp.example/authorize?client_id=shop&state=$s == access "
         "denied anonymous",
         "GET /callback?code=$k&state=$s => 302 location:/dash set:app=$a == login success "
         "$a=login+",
         "GET /dash cookie:app=$a => 200 " PAGE " == access granted $a=grant",
         "GET /logout cookie:app=$a => 302 location:/ set:app=;Max-Age=0 == logout success "
         "$a=logout",
     }                   },
    {"a callback may renew the session that it carries, however often it was granted before",
     {
         "POST /login form:user=al&password=p => 303 location:/a set:sid=$a",
         "GET /a => 303 location:/login",
         "GET /a cookie:sid=$a => 200 " PAGE,
         "GET /a cookie:sid=$a => 302 location:https://idp.example/authorize?client_id=x&state=1"
         " == access denied $a=denial",
         "GET /callback?code=$k&state=$s cookie:sid=$a => 302 location:/a == other $a=maybe-login?",
         "GET /a cookie:sid=$a => 200 " PAGE " == access granted $a=grant",
         "GET /callback?code=$l&state=$s cookie:sid=$a => 302 location:/a == other $a=maybe-login?",
     }                   },
    {"what signs on again after a logout or a denial is no ordinary use of the session",
     {
         "POST /login form:user=al&password=p => 303 location:/a set:sid=$a",
         "GET /a => 303 location:/login",
         "GET /a cookie:sid=$a => 200 " PAGE,
         "POST /logout cookie:sid=$a => 303 location:/ == logout success $a=logout",
         "POST /sso/verify cookie:sid=$a form:otp=123456 => 303 location:/a == other "
         "$a=maybe-login?",
         "GET /a cookie:sid=$a => 200 " PAGE " == access granted $a=grant",
     }                   },
    {"a callback over which visitors' sessions become live is understood",
     {
         "GET / => 200 " PAGE " set:sid=$a",
         "GET /a cookie:sid=$a => 302 location:https://idp.example/authorize?client_id=x&state=1",
         "GET /callback?code=$k&state=$s cookie:sid=$a => 302 location:/a == other $a=opened",
         "GET /a cookie:sid=$a => 200 " PAGE " == access granted $a=grant",
         "POST /logout cookie:sid=$a => 302 location:/ == logout success $a=logout",
         "GET /a cookie:sid=$a => 302 location:https://idp.example/authorize?client_id=x&state=1"
         " == access denied $a=denial",
         "GET /callback?code=$l&state=$s cookie:sid=$a => 302 location:/a == other $a=opened",
         "GET /a cookie:sid=$a => 200 " PAGE " == access granted $a=grant",
     }                   },
    {"what another credential of the request is answered says nothing of the cookie's session",
     {
         "POST /login form:user=al&password=p => 303 location:/a set:sid=$a",
         "GET /a => 401",
         "GET /a cookie:sid=$a => 200 " PAGE " == access granted $a=grant",
         "POST /logout cookie:sid=$a => 303 location:/ set:sid=;Max-Age=0 == logout success "
         "$a=logout",
         "GET /a cookie:sid=$a header:Authorization=Basic_YWw6cHc= => 200 " PAGE
         " == access granted $a=none",
         "GET /a cookie:sid=$a header:Authorization=Digest_username=\"al\" => 200 " PAGE
         " == access granted $a=none",
         "GET /a cookie:sid=$a header:X-API-Key=$k => 200 " PAGE " == access granted $a=none",
         "GET /a cookie:sid=$a header:Authorization=Basic_YWw6cHc= => 401"
         " == access denied $a=none",
         "GET /a cookie:sid=$a header:Authorization= => 200 " PAGE " == access granted $a=grant",
     }                   },
    {"a question before the logout is no logout",
     {
         "POST /login form:user=al&password=p => 302 location:/a set:sid=$a",
         "GET /logout cookie:sid=$a => 200 "
         "html:<form_method=post_action=/logout><button>Yes</button></form>"
         " == other $a=none",
         "POST /logout cookie:sid=$a => 302 location:/ == logout success $a=logout",
     }                   },
    {"a page at a logout's path that takes no token away may be a question, or help",
     {
         "POST /login form:user=al&password=p => 302 location:/a set:sid=$a",
         "GET /a => 302 location:/login",
         "GET /a cookie:sid=$a => 200 " PAGE " == access granted $a=grant",
         "GET /docs/logout cookie:sid=$a => 200 html:<h1>How == logout $a=maybe-logout",
         "GET /a cookie:sid=$a => 200 " PAGE " == access granted $a=grant",
         "GET /a cookie:sid=$a => 302 location:/login == access denied $a=denial",
     }                   },
    {"such a page acknowledges where it was seen to end a session",
     {
         "POST /login form:user=al&password=p => 302 location:/a set:sid=$a",
         "GET /a => 302 location:/login",
         "GET /a cookie:sid=$a => 200 " PAGE " == access granted $a=grant",
         "GET /logout cookie:sid=$a => 200 html:<h1>Bye == logout success $a=logout",
         "GET /a cookie:sid=$a => 302 location:/login == access denied $a=denial",
         "POST /login form:user=bo&password=p => 302 location:/a set:sid=$b",
         "GET /logout cookie:sid=$b => 200 html:<h1>Bye == logout success $b=logout",
         "GET /a cookie:sid=$b => 200 " PAGE " == access granted $b=grant",
     }                   },
    {"a logout by GET, and one that only moves to another spelling of its path",
     {
         "POST /users/sign_in form:user[email]=al&user[password]=p => 303 location:/ "
         "set:_app_session=$a"
         " == login success al $a=login+",
         "GET /users/sign_out/ cookie:_app_session=$a => 301 location:/users/sign_out == other "
         "$a=none",
         "GET /users/sign_out cookie:_app_session=$a => 303 location:/ == logout success $a=logout",
     }                   },
    {"a logout known by what it does",
     {
         "POST /login form:user=al&password=p => 302 location:/a set:sid=$a",
         "GET /a cookie:sid=$a => 200 " PAGE,
         "POST /leave cookie:sid=$a => 302 location:/ set:sid=;Max-Age=0 == logout success "
         "$a=logout",
         "POST /login form:user=al&password=p => 302 location:/a set:sid=$b",
         "GET /a cookie:sid=$b => 200 " PAGE,
         "POST /leave cookie:sid=$b => 302 location:/ set:sid=;Max-Age=0 == logout success "
         "$b=logout",
     }                   },
    {"registration and password change are no logins; what they give may be live",
     {
         "POST /register form:user=new&password=p&password_confirm=p => 302 location:/a set:sid=$a"
         " == other $a=maybe-login+",
         "GET /a cookie:sid=$a => 200 " PAGE " == access granted $a=grant",
         "POST /account/password cookie:sid=$a form:old_password=p&new_password=q => 200 "
         "json:{\"ok\":true}"
         " set:sid=$b == access granted $b=maybe-login+ $a=grant",
         "POST /login form:user=new&password=q => 302 location:/a set:sid=$c == login success new "
         "$c=login+",
     }                   },
    {"a second factor may make the session live",
     {
         "POST /login form:user=al&password=p => 302 location:/otp set:sid=$a == login success al "
         "$a=login+",
         "GET /a cookie:sid=$a => 302 location:/login == access denied $a=denial",
         "POST /otp cookie:sid=$a form:otp=123456 => 302 location:/a == other $a=maybe-login?",
         "GET /a cookie:sid=$a => 200 " PAGE " == access granted $a=grant",
     }                   },
    {"the login form with 200 in place of the page is a denial; a form with the password's change "
     "is not",                                                                               {
         "GET /a => 200 " FORM " == access denied anonymous",
         "POST /login form:user=al&password=p => 302 location:/a set:sid=$a",
         "GET /a cookie:sid=$a => 200 " PAGE " == access granted $a=grant",
         "GET /settings cookie:sid=$a => 200 "
         "html:<form_action=/settings/password><input_type=password"
         "_name=current><input_type=password_name=newpassword></form> == access granted $a=grant",
     }},
    {"a page of another name to which those without a session are sent",
     {
         "GET /app => 302 location:/hello == access denied anonymous",
         "POST /enter form:user=al&password=p => 302 location:/app set:sid=$a == login success al "
         "$a=login+",
         "GET /app cookie:sid=$a => 200 " PAGE " == access granted $a=grant",
         "POST /save cookie:sid=$a form:x=1 => 303 location:/hello == access granted $a=grant",
         "GET /app cookie:sid=$a => 302 location:/hello == access denied $a=denial",
     }                   },
    {"an answer from a cache says nothing",
     {
         "POST /login form:user=al&password=p => 302 location:/a set:sid=$a",
         "GET /a cookie:sid=$a => 200 " PAGE " header:Age=7 == access $a=none",
         "GET /a cookie:sid=$a => 200 " PAGE " header:X-Cache=HIT == access $a=none",
     }                   },
    {"a login answered by an error or not at all may have happened; a failed one only issues",
     {
         "POST /login form:user=al&password=p => 302 location:/a set:sid=$a",
         "GET /a cookie:sid=$a => 200 " PAGE,
         "POST /login form:user=al&password=p => 503 set:sid=$b == login error al $b=maybe-login+",
         "POST /login form:user=al&password=p cookie:sid=$v => - == login al $v=maybe-login",
         "POST /login form:user=al&password=p => 401 set:sid=$c == login failure al $c=issue+",
         "POST /login form:user=al&password=p => 302 location:/a set:sid=$d gap == login success al"
         " $d=maybe-login+",
     }                   },
    {"two sessions in one request: which one counted is not known",
     {
         "POST /login form:user=al&password=p => 302 location:/a set:sid=$a",
         "GET /a => 302 location:/login",
         "GET /a cookie:sid=$a => 200 " PAGE " == access granted $a=grant",
         "POST /api/login json:{\"user\":\"al\",\"password\":\"p\"} => 200 json:{\"token\":\"$t\"}"
         " == login success al $t=login+",
         "GET /api/x => 401",
         "GET /api/x bearer:$t => 200 json:{} == access granted $t=grant",
         "GET /api/x cookie:sid=$a bearer:$t => 200 json:{} == access granted $a=none $t=none",
     }                   },
    {"a redirect to the login whatever the session says nothing",
     {
         "POST /login form:user=al&password=p => 302 location:/a set:sid=$a",
         "GET /a cookie:sid=$a => 200 " PAGE,
         "GET / cookie:sid=$a => 302 location:/login == access $a=none",
         "GET /b cookie:sid=$a => 200 " PAGE,
     }                   },
    {"an administrator makes users: no logins, and the administrator's session stays what it is",
     {
         "POST /login form:user=root&password=p => 302 location:/a set:sid=$a",
         "GET /a cookie:sid=$a => 200 " PAGE,
         "POST /admin/people cookie:sid=$a form:username=new&password=q => 302 "
         "location:/admin/people"
         " == access granted $a=grant",
     }                   },
    {"ASP.NET: fields with long names, a ticket of another name",
     {
         "POST /Account/Login.aspx form:ctl00$main$UserName=al&ctl00$main$Password=p => 302 "
         "location:/"
         " set:.ASPXAUTH=$a == login success al $a=login+",
         "GET /orders.aspx cookie:.ASPXAUTH=$a;ASP.NET_SessionId=$n => 200 " PAGE
         " == access granted $a=grant",
         "GET /orders.aspx cookie:ASP.NET_SessionId=$n => 302 "
         "location:/Account/Login.aspx?ReturnUrl=%2f"
         " == access denied anonymous",
         "GET /Account/Logout.aspx cookie:.ASPXAUTH=$a;ASP.NET_SessionId=$n => 302 location:/"
         " set:.ASPXAUTH=;Max-Age=0 == logout success $a=logout",
     }                   },
    {"signed in by a form, known by the same name in queries",
     {
         "POST /login form:user=alice&password=p => 200 text:welcome == login success alice "
         "other=login",
         "GET /protected?user=alice => 200 text:hello == access granted other=grant",
         "GET /protected?user=bob => 401 text:no == access denied other=denial",
         "POST /logout?user=alice => 200 text:bye == logout success other=logout",
     }                   },
    {"a mark that everybody gets at the login is no session",
     {
         "GET / => 200 " PAGE " set:sid=$v",
         "POST /login cookie:sid=$v form:user=a&password=p => 302 location:/a set:auth=1 == login "
         "success a $v=login",
         "GET /a cookie:sid=$v;auth=1 => 200 " PAGE " == access granted $v=grant",
         "GET / => 200 " PAGE " set:sid=$w",
         "POST /login cookie:sid=$w form:user=b&password=p => 302 location:/a set:auth=1 == login "
         "success b $w=login",
         "GET /a cookie:sid=$w;auth=1 => 200 " PAGE " == access granted $w=grant",
         "GET / => 200 " PAGE " set:sid=$x",
         "POST /login cookie:sid=$x form:user=c&password=p => 302 location:/a set:auth=1 == login "
         "success c $x=login",
         "GET /a cookie:sid=$x => 302 location:/login == access denied $x=denial",
     }                   },
    {"PHP: everybody has the cookie, and those who are not signed in are sent to the front page's "
     "form",                                                                                 {
         "GET /index.php => 200 " FORM " set:PHPSESSID=$v == access denied anonymous $v=issue+",
         "GET /data.php cookie:PHPSESSID=$v => 302 location:index.php == access denied $v=denial",
         "POST /index.php cookie:PHPSESSID=$v form:user=al&pass=p => 302 location:data.php"
         " == login success al $v=login",
         "GET /data.php cookie:PHPSESSID=$v => 200 " PAGE " == access granted $v=grant",
         "GET /index.php cookie:PHPSESSID=$v => 200 " PAGE,
         "GET /logout.php cookie:PHPSESSID=$v => 302 location:index.php == logout success "
         "$v=logout",
         "GET /data.php cookie:PHPSESSID=$v => 302 location:index.php == access denied $v=denial",
     }  },
    {"ended sessions are sent to a page that nobody would take for the login",
     {
         "POST /login form:user=al&password=p => 302 location:/a set:sid=$a",
         "GET /a cookie:sid=$a => 200 " PAGE " == access granted $a=grant",
         "POST /logout cookie:sid=$a => 302 location:/ == logout success $a=logout",
         "GET /a cookie:sid=$a => 302 location:/hello == access denied $a=denial",
         "POST /login form:user=al&password=p => 302 location:/a set:sid=$b",
         "GET /a cookie:sid=$b => 302 location:/news == access $b=none",
     }                   },
    {"a login that gives the cookie to who has none, and lets others keep theirs",
     {
         "POST /login form:user=al&password=p => 302 location:/a set:connect.sid=$a == login "
         "success al $a=login+",
         "GET /a cookie:connect.sid=$a => 200 " PAGE,
         "GET / => 200 " PAGE " set:connect.sid=$v",
         "POST /login cookie:connect.sid=$v form:user=bo&password=p => 302 location:/a == login "
         "success bo $v=login",
         "GET /a cookie:connect.sid=$v => 200 " PAGE " == access granted $v=grant",
         "POST /login form:user=cy&password=p => 302 location:/a == login success cy missing",
     }                   },
    {"two doors with a session each, both carried everywhere",
     {
         "POST /login form:user=al&password=p => 302 location:/a set:sid=$a",
         "GET /a cookie:sid=$a => 200 " PAGE,
         "POST /admin/login cookie:sid=$a form:user=root&password=p => 302 location:/admin "
         "set:adm=$b"
         " == login success root $b=login+ $a=replaced",
         "GET /admin cookie:sid=$a;adm=$b => 200 " PAGE " == access granted $a=none $b=none",
         "POST /admin/login form:user=root&password=p => 302 location:/admin set:adm=$c"
         " == login success root $c=login+",
         "GET /admin cookie:adm=$c => 200 " PAGE " == access granted $c=grant",
         "POST /login form:user=bo&password=p => 302 location:/a set:sid=$d == login success bo "
         "$d=login+",
     }                   },
    {"failures that look like successes but for their message",
     {
         "POST /api/login json:{\"user\":\"a\",\"password\":\"p\"} => 200 "
         "json:{\"message\":\"Welcome\"}"
         " set:sid=$a == login success a $a=login+",
         "POST /api/login json:{\"user\":\"b\",\"password\":\"p\"} => 200"
         " json:{\"message\":\"Invalid-credentials\"} == login failure b",
         "POST /api/login json:{\"user\":\"c\",\"password\":\"p\"} => 200 "
         "json:{\"message\":\"Welcome\"}"
         " == login success c missing",
     }                   },
    {"fields of names that nobody knows, at a login path",
     {
         "POST /login json:{\"u\":\"a\",\"p\":\"b\"} => 200 json:{\"ok\":true} set:sid=$a"
         " == login success $a=login+",
         "GET /a cookie:sid=$a => 200 " PAGE " == access granted $a=grant",
     }                   },
    {"ending a session on another device is no logout",
     {
         "POST /api/login json:{\"user\":\"a\",\"password\":\"p\"} => 200 json:{\"token\":\"$a\"}",
         "GET /api/x bearer:$a => 200 json:{} == access granted $a=grant",
         "DELETE /api/sessions/17 bearer:$a => 204 == other $a=none",
         "GET /api/x bearer:$a => 200 json:{} == access granted $a=grant",
         "POST /oauth/revoke bearer:$a form:token=$b => 200 == logout success $b=logout",
         "POST /logout bearer:$a => 204 == logout success $a=logout",
     }                   },
    {"a logout fetched ahead is none, unless it deletes the cookie",
     {
         "POST /login form:user=al&password=p => 302 location:/a set:sid=$a",
         "GET /logout cookie:sid=$a header:Sec-Purpose=prefetch => 200 html:x == other $a=none",
         "GET /logout cookie:sid=$a header:Purpose=prefetch => 302 location:/ set:sid=;Max-Age=0"
         " == logout success $a=logout",
     }                   },
    {"Rails: a form that deletes by _method",
     {
         "POST /session form:session[email]=al&session[password]=p => 302 location:/ "
         "set:_x_session=$a"
         " == login success al $a=login+",
         "GET /private cookie:_x_session=$a => 200 " PAGE,
         "POST /session cookie:_x_session=$a form:_method=delete&authenticity_token=$t => 302 "
         "location:/"
         " == logout success $a=logout",
     }                   },
};

static void every_exchange_is_what_the_table_says(void **state)
{
    (void)state;
    int wrong = 0;
    for (size_t i = 0; i < HR_ARRAY_LEN(sites); i++) {
        struct lab *lab = lab_create(NULL);
        lab_add(lab, sites[i].lines);
        wrong += lab_check(lab, sites[i].name);
        lab_destroy(lab);
    }
    assert_int_equal(wrong, 0);
}

/* The model is a function of the set of exchanges, not of their order. */
static void the_order_of_learning_does_not_matter(void **state)
{
    (void)state;
    uint64_t random = 20260101;
    for (size_t i = 0; i < HR_ARRAY_LEN(sites); i++) {
        struct lab *lab = lab_create(NULL);
        size_t order[LAB_LIMIT];
        struct hr_buf want;
        struct hr_buf got;
        lab_add(lab, sites[i].lines);
        struct site_model *m = lab_learn(lab, NULL);
        hr_buf_init(&want, SIZE_MAX);
        hr_buf_init(&got, SIZE_MAX);
        site_model_suggest(m, &want);
        for (int round = 0; round < 20; round++) {
            for (size_t k = 0; k < lab_count(lab); k++) {
                random = random * UINT64_C(6364136223846793005) + 1442695040888963407u;
                size_t at = (size_t)(random >> 33) % (k + 1);
                order[k] = order[at];
                order[at] = k;
            }
            struct site_model *other = lab_learn(lab, order);
            hr_buf_clear(&got);
            site_model_suggest(other, &got);
            assert_string_equal(hr_buf_str(&got), hr_buf_str(&want));
            for (size_t k = 0; k < lab_count(lab); k++) {
                char *before = hr_xstrdup(lab_judge(lab, m, k));
                assert_string_equal(lab_judge(lab, other, k), before);
                free(before);
            }
            site_model_destroy(other);
        }
        site_model_destroy(m);
        hr_buf_finish(&want);
        hr_buf_finish(&got);
        lab_destroy(lab);
    }
}

/* Every table of the learner overflows, and still neither the order of feeding counts nor what was
 * decided on the way. */
static void bounds_do_not_depend_on_the_order(void **state)
{
    enum { EXCHANGES = 12000 };
    (void)state;
    struct hr_buf texts[2];
    for (int round = 0; round < 2; round++) {
        struct site_learner *l = site_learner_create(HR_SPAN("shop"), NULL);
        for (size_t i = 0; i < EXCHANGES; i++) {
            size_t n = round == 0 ? i : (i * 7919 + 4711) % EXCHANGES;
            char path[32];
            char name[32];
            struct exchange_facts f = {.id = (int64_t)n + 1,
                                       .method = HR_SPAN("GET"),
                                       .status = n % 3 == 0 ? 401 : 200,
                                       .flags = FACT_RESPONSE_WHOLE,
                                       .request_at = (hr_nsec)n * 1000,
                                       .response_at = (hr_nsec)n * 1000 + 500,
                                       .token_count = 1};
            snprintf(path, sizeof(path), "/p%zu", n % 9000);
            snprintf(name, sizeof(name), "sid%zu", n % 300);
            f.path_template = hr_span_str(path);
            f.tokens[0] = (struct token_use){.carrier = TOKEN_COOKIE,
                                             .name = hr_span_str(name),
                                             .flags = TOKEN_SENT | TOKEN_RANDOM_LOOKING,
                                             .sent = hr_digest_plain(hr_span_of(&n, sizeof(n))),
                                             .carrier_id = 1 + (int64_t)(n % 300),
                                             .sent_id = 1 + (int64_t)n};
            site_learner_feed(l, &f);
            if (round == 1 && i % 2500 == 0) {
                site_model_destroy(site_learner_decide(l));
                l = lab_keep(l, HR_SPAN("shop"));
                assert_non_null(l);
            }
        }
        struct site_model *m = site_learner_decide(l);
        hr_buf_init(&texts[round], SIZE_MAX);
        site_model_suggest(m, &texts[round]);
        site_model_destroy(m);
        site_learner_destroy(l);
    }
    assert_string_equal(hr_buf_str(&texts[0]), hr_buf_str(&texts[1]));
    hr_buf_finish(&texts[0]);
    hr_buf_finish(&texts[1]);
}

/* Names in a redirect's query tell logins apart, its values do not. */
static void redirects_are_of_one_kind_by_their_names(void **state)
{
    static const char *const lines[] = {
        "POST /login form:user=alice&password=pw => 302 location:/home?m=1 == login failure",
        "POST /login form:user=alice&password=pw => 302 location:/home?u=1 == login failure",
        "POST /login form:user=alice&password=pw => 302 location:/home?u=2 == login failure",
        NULL,
    };
    struct lab *lab = lab_create(NULL);
    (void)state;
    lab_add(lab, lines);
    struct site_model *m = lab_learn(lab, NULL);
    assert_true(site_model_kind(m, lab_facts(lab, 0)) != site_model_kind(m, lab_facts(lab, 1)));
    assert_true(site_model_kind(m, lab_facts(lab, 1)) == site_model_kind(m, lab_facts(lab, 2)));
    site_model_destroy(m);
    lab_destroy(lab);
}

/* What a database holds need not be what was saved. */
static void damaged_bytes_are_no_learning(void **state)
{
    static const char *const lines[] = {
        "POST /login form:user=alice&password=pw => 302 location:/home set:sid=$a == login success "
        "alice",
        "GET /home cookie:sid=$a => 200 html:hello == access granted",
        "GET /home => 302 location:/login == access denied anonymous",
        NULL,
    };
    struct hr_buf saved;
    struct lab *lab = lab_create(NULL);
    struct site_learner *l = site_learner_create(HR_SPAN("shop"), NULL);
    (void)state;
    lab_add(lab, lines);
    for (size_t i = 0; i < lab_count(lab); i++) {
        site_learner_feed(l, lab_facts(lab, i));
    }
    hr_buf_init(&saved, SIZE_MAX);
    site_learner_save(l, &saved);
    site_learner_destroy(l);
    const struct hr_span whole = hr_buf_span(&saved);
    for (size_t i = 0; i < whole.len; i++) {
        assert_null(site_learner_load(HR_SPAN("shop"), hr_span_slice(whole, 0, i)));
    }
    char *damaged = hr_xcalloc(whole.len, 1);
    for (size_t i = 0; i < 8 * whole.len; i++) {
        memcpy(damaged, whole.ptr, whole.len);
        damaged[i / 8] = (char)(damaged[i / 8] ^ 1 << i % 8);
        struct site_learner *other =
            site_learner_load(HR_SPAN("shop"), hr_span_of(damaged, whole.len));
        if (other != NULL) { /* not what it was, but whole */
            struct site_model *m = site_learner_decide(other);
            lab_judge(lab, m, i % lab_count(lab));
            site_model_destroy(m);
            site_learner_destroy(other);
        }
    }
    free(damaged);
    hr_buf_finish(&saved);
    lab_destroy(lab);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_exchange_is_what_the_table_says),
        cmocka_unit_test(the_order_of_learning_does_not_matter),
        cmocka_unit_test(bounds_do_not_depend_on_the_order),
        cmocka_unit_test(redirects_are_of_one_kind_by_their_names),
        cmocka_unit_test(damaged_bytes_are_no_learning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
