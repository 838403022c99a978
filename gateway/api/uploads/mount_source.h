#ifndef ENTREPOT_GATEWAY_API_UPLOADS_MOUNT_SOURCE_H_
#define ENTREPOT_GATEWAY_API_UPLOADS_MOUNT_SOURCE_H_

#include <string>

#include "absl/strings/string_view.h"

namespace entrepot::gateway::api {

// The repository that a push wants to mount a blob from (`?mount=<digest>&from=<name>`), so that its client can be told
// to ask for a token that may pull there; "" where it names none. What is wrong with the query is for the handler to
// say.
//
// A token that nobody has asked about the source is answered 401 with both scopes, as clients expect that do not ask
// for them at once. One that was asked for and does not grant the source starts an upload: a 401 would never end, and a
// 403 ends some clients' push.
std::string MountSource(absl::string_view query);

}  // namespace entrepot::gateway::api

#endif  // ENTREPOT_GATEWAY_API_UPLOADS_MOUNT_SOURCE_H_
