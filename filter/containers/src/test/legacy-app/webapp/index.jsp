<%@ page contentType="text/html; charset=UTF-8" session="true" %>
<!DOCTYPE html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <title>Orders</title>
  <script type="module" src="<%= request.getContextPath() %>/headrace/headrace.js"></script>
  <script>
    // No module: the page's own scripts are as old as the page.
    function ask() {
      var output = document.getElementById('answer');
      output.textContent = '';
      window.headrace.stream({
        url: '<%= request.getContextPath() %>/claude/v1/messages',
        body: {
          model: 'claude-sonnet-5-5',
          max_tokens: 100,
          stream: true,
          messages: [{ role: 'user', content: document.getElementById('question').value }]
        },
        onText: function (text) { output.appendChild(document.createTextNode(text)); }
      }).then(function () {
        output.setAttribute('data-state', 'done');
      }, function (failure) {
        output.setAttribute('data-state', failure.type);
      });
    }
  </script>
</head>
<body>
  <p>Logged in: <b id="user"><%= request.getRemoteUser() %></b>
    <% if (request.isUserInRole("clerk")) { %>(clerk)<% } %></p>
  <p><input id="question" value="Where is my order?"> <button id="ask" onclick="ask()">Ask</button></p>
  <pre id="answer"></pre>
</body>
</html>
