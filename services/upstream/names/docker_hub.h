#ifndef ENTREPOT_SERVICES_UPSTREAM_NAMES_DOCKER_HUB_H_
#define ENTREPOT_SERVICES_UPSTREAM_NAMES_DOCKER_HUB_H_

#include <string>

#include "absl/strings/string_view.h"
#include "entrepot/config/v1/upstreams.pb.h"

// What is particular to Docker Hub.
namespace entrepot::upstream {

// The name of Docker Hub in references of images, and its other names; the first of these is the host of its API.
inline constexpr absl::string_view kHubName = "docker.io";
inline constexpr absl::string_view kHubAliases[] = {"registry-1.docker.io", "index.docker.io"};

// Whether the upstream is Docker Hub, or stands in for it: its name, an alias or the host of its URL is Docker Hub's.
bool IsDockerHub(const config::v1::Upstream& upstream);

// Docker Hub's own name of the repository: "nginx" is library/nginx.
std::string NameAtDockerHub(absl::string_view repository);

}  // namespace entrepot::upstream

#endif  // ENTREPOT_SERVICES_UPSTREAM_NAMES_DOCKER_HUB_H_
