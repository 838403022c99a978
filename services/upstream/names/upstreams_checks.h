#ifndef ENTREPOT_SERVICES_UPSTREAM_NAMES_UPSTREAMS_CHECKS_H_
#define ENTREPOT_SERVICES_UPSTREAM_NAMES_UPSTREAMS_CHECKS_H_

#include "entrepot/config/v1/upstreams.pb.h"
#include "services/runtime/config/config_problems.h"

namespace entrepot::upstream {

// Checks an upstreams file after FillDefaults() (upstreams_defaults.h) and adds its problems, and a warning for each
// password that crosses a network in clear text. The files that it names are not read.
void CheckUpstreams(const config::v1::Upstreams& file, runtime::ConfigProblems* problems);

}  // namespace entrepot::upstream

#endif  // ENTREPOT_SERVICES_UPSTREAM_NAMES_UPSTREAMS_CHECKS_H_
