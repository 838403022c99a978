#ifndef ENTREPOT_SERVICES_CTL_TESTING_CONTENT_REGISTRY_H_
#define ENTREPOT_SERVICES_CTL_TESTING_CONTENT_REGISTRY_H_

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/core/digest.h"
#include "services/ctl/client/http_client.h"
#include "services/ctl/client/registry_client.h"

namespace entrepot::ctl {

// A registry without accounts, in memory, that serves the OCI distribution API at http://localhost:5000. A manifest may
// be pushed before its blobs.
class ContentRegistry : public HttpClient {
 public:
  absl::StatusOr<HttpAnswer> Send(const HttpRequest& request) override;

  // Stores it, and returns its digest.
  Digest AddBlob(const std::string& repository, const std::string& content);
  Digest AddManifest(const std::string& repository, const std::string& content, const std::string& tag = "");
  // Names a manifest with `config` and `layers`, whose contents are stored.
  Digest AddImage(const std::string& repository, const std::vector<std::string>& layers, const std::string& tag = "");

  bool Has(const std::string& repository, const Digest& digest) const;
  std::string Content(const std::string& repository, const Digest& digest) const;
  // The digest that a tag names; "" if there is none.
  std::string TagOf(const std::string& repository, const std::string& tag) const;
  // How many requests had this method, and `part` in their URL.
  int Count(absl::string_view method, absl::string_view part) const;

  // Decides on each request before the registry: its answer counts, if it returns one.
  std::function<std::optional<absl::StatusOr<HttpAnswer>>(const HttpRequest& request)> intercept = {};
  std::vector<HttpRequest> requests;
  // By repository and subject.
  std::map<std::string, std::vector<Digest>> referrers;

 private:
  HttpAnswer Manifests(const HttpRequest& request, const std::string& repository, const std::string& reference);
  absl::StatusOr<HttpAnswer> Blobs(const HttpRequest& request, const std::string& repository,
                                   const std::string& digest);
  HttpAnswer Uploads(const HttpRequest& request, const std::string& repository, const std::string& id);

  // By repository and digest; manifests and blobs.
  std::map<std::string, std::string> contents_;
  std::map<std::string, std::string> tags_;
  std::map<std::string, std::string> uploads_;
  int upload_count_ = 0;
};

// Options of a client of it.
RegistryClient::Options ContentRegistryOptions();

}  // namespace entrepot::ctl

#endif  // ENTREPOT_SERVICES_CTL_TESTING_CONTENT_REGISTRY_H_
