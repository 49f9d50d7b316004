package shop;

import org.springframework.test.context.ActiveProfiles;

/** The gateway as a filter. */
@ActiveProfiles("filter")
class ClaudeAsFilterTest extends ClaudeContract {}
