#ifndef ENTREPOT_SERVICES_RUNTIME_CONFIG_CONFIG_LOADER_H_
#define ENTREPOT_SERVICES_RUNTIME_CONFIG_CONFIG_LOADER_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/message.h"

namespace entrepot::runtime {

// Reads YAML into a configuration message (proto/entrepot/config/v1), whose fields are the YAML's keys.
//
// Whole numbers, decimals, true/false and text are what they look like; a google.protobuf.Duration is text: "250ms",
// "3s", "1h30m", "0.5s". An empty document is a valid configuration in which nothing is set, and an empty value
// ("tls:") a message that is present and empty.
//
// The first mistake is reported as kInvalidArgument whose message is one line, ready to be shown:
//   entrepot.yaml:7: limits.header_bytes_max: expected a whole number, found "abc"
// Mistakes are: what YAML's grammar does not allow, more than one document, an unknown field, a field given twice, two
// members of one oneof, a wrong type, a number or duration out of range. *config is then in an unspecified state.
// No exception leaves. Safe from any thread.
absl::Status ParseConfig(absl::string_view yaml_text, absl::string_view file_name, google::protobuf::Message* config);

// The same for a file of at most 1 MiB. kNotFound, kPermissionDenied: it cannot be read; the message names it.
absl::Status LoadConfig(const std::string& path, google::protobuf::Message* config);

}  // namespace entrepot::runtime

#endif  // ENTREPOT_SERVICES_RUNTIME_CONFIG_CONFIG_LOADER_H_
