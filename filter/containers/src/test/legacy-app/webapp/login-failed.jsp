<%@ page contentType="text/html; charset=UTF-8" %>
<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>Orders: not logged in</title></head>
<body><p>Wrong name or password. <a href="<%= request.getContextPath() %>/">Try again</a></p></body>
</html>
