<%@ page contentType="text/html; charset=UTF-8" %>
<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>Orders: log in</title></head>
<body>
  <form method="post" action="<%= request.getContextPath() %>/j_security_check">
    <label>Name <input name="j_username"></label>
    <label>Password <input name="j_password" type="password"></label>
    <button>Log in</button>
  </form>
</body>
</html>
