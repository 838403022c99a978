#ifndef ENTREPOT_SERVICES_BLOB_S3_OBJECT_URLS_H_
#define ENTREPOT_SERVICES_BLOB_S3_OBJECT_URLS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "prometheus/counter.h"
#include "services/blob/s3/credentials.h"
#include "services/blob/s3/s3_client.h"
#include "services/core/ip_network.h"

namespace entrepot::blob::s3 {

// Signed URLs at which clients of some networks get objects from the S3 server itself. A URL is for a GET, with or
// without a Range; its host is signed, and so are the type and the disposition that the server must answer with. It
// needs no other header, and works for every client that has it until it ends.
//
// Thread-safe.
class ObjectUrls {
 public:
  struct Options {
    // As clients reach it.
    S3Target target;
    // The clients that get URLs.
    std::vector<IpNetwork> clients;
    // Of a URL, in which the download must begin.
    absl::Duration lifetime = absl::Minutes(1);
  };

  // All outlive this. `client` is that of the same server, for its clock; `made` counts the URLs.
  ObjectUrls(Options options, CredentialsSource* credentials, const S3Client* client, prometheus::Counter* made)
      : options_(std::move(options)), credentials_(*credentials), client_(*client), made_(*made) {}

  // Empty if the client is not in the networks, if its address is not one, or if the credentials end sooner than the
  // URL would: a server ends a URL with them. kUnavailable without credentials, for which it may wait.
  absl::StatusOr<std::string> UrlFor(const std::string& key, absl::string_view client_address) const;

 private:
  const Options options_;
  CredentialsSource& credentials_;
  const S3Client& client_;
  prometheus::Counter& made_;
};

}  // namespace entrepot::blob::s3

#endif  // ENTREPOT_SERVICES_BLOB_S3_OBJECT_URLS_H_
