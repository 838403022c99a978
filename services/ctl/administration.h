#ifndef ENTREPOT_SERVICES_CTL_ADMINISTRATION_H_
#define ENTREPOT_SERVICES_CTL_ADMINISTRATION_H_

#include <string>

#include "absl/status/statusor.h"
#include "entrepot/auth/v1/administration.pb.h"
#include "services/ctl/session.h"

namespace entrepot::ctl {

// Has the auth service do it and prints its answer. `done`: what to say where it has nothing to say. The exit code.
absl::StatusOr<int> Ask(const auth::v1::AdministerRequest& request, Session& session, const std::string& done = "");

}  // namespace entrepot::ctl

#endif  // ENTREPOT_SERVICES_CTL_ADMINISTRATION_H_
