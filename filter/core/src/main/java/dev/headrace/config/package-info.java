/**
 * Everything about settings: the immutable records, the table that describes each key, the reader
 * of {@code headrace.yaml} and of the environment, and the text of the settings in force.
 *
 * <p>Start at {@link GatewaySettings} for what can be set, at {@link SettingTable} for key,
 * default, range and effect of each setting, and at {@link SettingsLocator} for where they come
 * from. Nothing here knows servlets or the HTTP client, and no type of the YAML library appears in
 * a public signature, because that library is relocated in the jar with everything inside.
 */
@NullMarked
package dev.headrace.config;

import org.jspecify.annotations.NullMarked;
