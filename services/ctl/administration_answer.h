#ifndef ENTREPOT_SERVICES_CTL_ADMINISTRATION_ANSWER_H_
#define ENTREPOT_SERVICES_CTL_ADMINISTRATION_ANSWER_H_

#include <string>

#include "absl/status/statusor.h"
#include "entrepot/auth/v1/administration.pb.h"
#include "services/ctl/command.h"
#include "services/ctl/registry_client.h"

namespace entrepot::ctl {

// The answer for people: tables or sentences that end with a newline. Empty for Done.
std::string AdministrationText(const auth::v1::AdministerResponse& response);

// The answer for scripts: its result ({"users": [...]}) in protobuf's JSON mapping, with a newline.
std::string AdministrationJson(const auth::v1::AdministerResponse& response);

// Has the auth service execute a request and prints the answer as `line` asks: JSON or text. `done` is printed as text
// if the answer has none. Returns kOk.
absl::StatusOr<int> AdministerAndPrint(const auth::v1::AdministerRequest& request, const CommandLine& line,
                                       RegistryClient& registry, const std::string& done = "");

}  // namespace entrepot::ctl

#endif  // ENTREPOT_SERVICES_CTL_ADMINISTRATION_ANSWER_H_
