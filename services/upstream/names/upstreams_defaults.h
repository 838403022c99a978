#ifndef ENTREPOT_SERVICES_UPSTREAM_NAMES_UPSTREAMS_DEFAULTS_H_
#define ENTREPOT_SERVICES_UPSTREAM_NAMES_UPSTREAMS_DEFAULTS_H_

#include "entrepot/config/v1/upstreams.pb.h"

namespace entrepot::upstream {

// Fills in the fields of an upstreams file that have defaults, and writes names that have several forms in one: hosts
// in lower case, URLs without a "/" at the end, repositories of Docker Hub with "library/". Values that cannot be read
// stay as they are, for CheckUpstreams().
void FillDefaults(config::v1::Upstreams* file);

}  // namespace entrepot::upstream

#endif  // ENTREPOT_SERVICES_UPSTREAM_NAMES_UPSTREAMS_DEFAULTS_H_
