#ifndef ENTREPOT_SERVICES_CTL_OUTPUT_H_
#define ENTREPOT_SERVICES_CTL_OUTPUT_H_

#include <string>

#include "absl/status/statusor.h"
#include "google/protobuf/message.h"

namespace entrepot::ctl {

void Print(const std::string& text);

// What scripts read: the message in protobuf's JSON, with all its fields and a newline.
std::string MessageJson(const google::protobuf::Message& message);

// A file that the user named, whole. kInvalidArgument: it cannot be read.
absl::StatusOr<std::string> ReadFile(const std::string& path);

}  // namespace entrepot::ctl

#endif  // ENTREPOT_SERVICES_CTL_OUTPUT_H_
