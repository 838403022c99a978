#ifndef ENTREPOT_SERVICES_CTL_RENDER_H_
#define ENTREPOT_SERVICES_CTL_RENDER_H_

#include <string>

#include "entrepot/auth/v1/administration.pb.h"

namespace entrepot::ctl {

// What people read of an answer: tables, sentences. Ends with a newline, or is empty for Done.
std::string ToText(const auth::v1::AdministerResponse& response);

// What scripts read: the answer's one result ({"users": [...]}) in protobuf's JSON, with a newline.
std::string ToJson(const auth::v1::AdministerResponse& response);

}  // namespace entrepot::ctl

#endif  // ENTREPOT_SERVICES_CTL_RENDER_H_
