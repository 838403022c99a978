#ifndef ENTREPOT_SERVICES_CTL_OUTPUT_ADMINISTRATION_TEXT_H_
#define ENTREPOT_SERVICES_CTL_OUTPUT_ADMINISTRATION_TEXT_H_

#include <string>

#include "entrepot/auth/v1/administration.pb.h"

namespace entrepot::ctl {

// The auth service's answer for people: tables or sentences that end with a newline. Empty for Done.
std::string AdministrationText(const auth::v1::AdministerResponse& response);

// The same answer for scripts: its result ({"users": [...]}) in protobuf's JSON mapping, with a newline.
std::string AdministrationJson(const auth::v1::AdministerResponse& response);

}  // namespace entrepot::ctl

#endif  // ENTREPOT_SERVICES_CTL_OUTPUT_ADMINISTRATION_TEXT_H_
