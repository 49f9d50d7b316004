package shop;

import org.springframework.test.context.ActiveProfiles;

/** The gateway as a servlet. */
@ActiveProfiles("servlet")
class ClaudeAsServletTest extends ClaudeContract {}
