#ifndef ENTREPOT_SERVICES_RUNTIME_CONFIG_CONFIG_VALUE_H_
#define ENTREPOT_SERVICES_RUNTIME_CONFIG_CONFIG_VALUE_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/duration.pb.h"
#include "services/runtime/config/yaml_tree.h"

namespace entrepot::runtime {

// A configuration file's values by type. Each returns kInvalidArgument with what is wrong, without where it stands:
//   expected a whole number, found "abc"

// -2^63 to 2^64 - 1 in decimal, without a sign "+", leading zeros, or anything else; in the bounds given.
absl::StatusOr<int64_t> SignedValue(const YamlNode& node, int64_t min, int64_t max);
absl::StatusOr<uint64_t> UnsignedValue(const YamlNode& node, uint64_t max);
// A finite number.
absl::StatusOr<double> DecimalValue(const YamlNode& node);
// true or false.
absl::StatusOr<bool> BoolValue(const YamlNode& node);
// Any scalar but nothing; no control characters but newlines and tabs.
absl::StatusOr<std::string> TextValue(const YamlNode& node);
// One of the enum's names.
absl::StatusOr<const google::protobuf::EnumValueDescriptor*> EnumValue(
    const YamlNode& node, const google::protobuf::EnumDescriptor& descriptor);
// "250ms", "3s", "1h30m", "0.5s"; within what google.protobuf.Duration allows.
absl::StatusOr<google::protobuf::Duration> DurationValue(const YamlNode& node);

// "expected <what>, found <the node>".
absl::Status Expected(absl::string_view what, const YamlNode& found);

}  // namespace entrepot::runtime

#endif  // ENTREPOT_SERVICES_RUNTIME_CONFIG_CONFIG_VALUE_H_
