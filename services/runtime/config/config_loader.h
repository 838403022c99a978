#ifndef ENTREPOT_SERVICES_RUNTIME_CONFIG_CONFIG_LOADER_H_
#define ENTREPOT_SERVICES_RUNTIME_CONFIG_CONFIG_LOADER_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/message.h"
#include "services/runtime/config/config_problems.h"

namespace entrepot::runtime {

// Reads YAML into a configuration message (proto/entrepot/config/v1). The fields of the message are the keys of the
// YAML.
//
// Whole numbers, decimals, true/false and text are written as usual. A google.protobuf.Duration is text: "250ms", "3s",
// "1h30m", "0.5s". An empty document is a valid configuration in which no field is set. An empty value ("tls:") is a
// message that is present and empty.
//
// All mistakes are returned as kInvalidArgument, with a line for each (the first hundred) that is ready to be shown:
//   entrepot.yaml:7: limits.header_bytes_max: expected a whole number, found "abc"
// Mistakes are: an unknown field, a field given twice, two members of one oneof, a wrong type, and a number or duration
// that is out of range. If the text is not one document of valid YAML, the first mistake is returned. *config is then
// in an unspecified state. Never throws. Thread-safe.
absl::Status ParseConfig(absl::string_view yaml_text, absl::string_view file_name, google::protobuf::Message* config);

// The same, if the values are checked further: mistakes are added to *problems, which then knows the lines of the file.
// Values with mistakes are left out of *config; an item of a list becomes an empty one, so that the others keep their
// places. kInvalidArgument: the text is not one document of valid YAML. Otherwise OK.
absl::Status ParseConfig(absl::string_view yaml_text, absl::string_view file_name, google::protobuf::Message* config,
                         ConfigProblems* problems);

// The same for a file of at most 1 MiB. kNotFound, kPermissionDenied: the file cannot be read; the message names it.
absl::Status LoadConfig(const std::string& path, google::protobuf::Message* config, ConfigProblems* problems);

}  // namespace entrepot::runtime

#endif  // ENTREPOT_SERVICES_RUNTIME_CONFIG_CONFIG_LOADER_H_
