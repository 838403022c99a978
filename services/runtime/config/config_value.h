#ifndef ENTREPOT_SERVICES_RUNTIME_CONFIG_CONFIG_VALUE_H_
#define ENTREPOT_SERVICES_RUNTIME_CONFIG_CONFIG_VALUE_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/duration.pb.h"
#include "services/runtime/config/yaml_tree.h"

namespace entrepot::runtime {

// The values of a configuration file, by type. Each function returns kInvalidArgument with the mistake, but without its
// position:
//   expected a whole number, found "abc"

// A decimal number within the given bounds, -2^63 to 2^64 - 1 at most, without "+", leading zeros or other characters.
absl::StatusOr<int64_t> SignedValue(const YamlNode& node, int64_t min, int64_t max);
absl::StatusOr<uint64_t> UnsignedValue(const YamlNode& node, uint64_t max);
// A finite number.
absl::StatusOr<double> DecimalValue(const YamlNode& node);
// true or false.
absl::StatusOr<bool> BoolValue(const YamlNode& node);
// Any scalar that is not empty. Newlines and tabs are the only control characters that it may contain.
absl::StatusOr<std::string> TextValue(const YamlNode& node);
// One of the names of the enum.
absl::StatusOr<const google::protobuf::EnumValueDescriptor*> EnumValue(
    const YamlNode& node, const google::protobuf::EnumDescriptor& descriptor);
// "250ms", "3s", "1h30m", "0.5s"; within the range of google.protobuf.Duration.
absl::StatusOr<google::protobuf::Duration> DurationValue(const YamlNode& node);

// "expected <what>, found <the node>".
absl::Status Expected(absl::string_view what, const YamlNode& found);

}  // namespace entrepot::runtime

#endif  // ENTREPOT_SERVICES_RUNTIME_CONFIG_CONFIG_VALUE_H_
