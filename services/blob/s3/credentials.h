#ifndef ENTREPOT_SERVICES_BLOB_S3_CREDENTIALS_H_
#define ENTREPOT_SERVICES_BLOB_S3_CREDENTIALS_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/blob/s3/sigv4.h"
#include "services/core/time/clock.h"
#include "services/outbound/transport.h"

namespace entrepot::blob::s3 {

using outbound::Transport;
using outbound::WireRequest;
using outbound::WireResponse;

// The credentials of requests. Thread-safe; calls may block on a file or a server.
class CredentialsSource {
 public:
  virtual ~CredentialsSource() = default;

  // Credentials that are valid now. kUnavailable if there are none; the message names what was tried.
  virtual absl::StatusOr<Credentials> Get() = 0;
  // The server has refused `refused`: Get() fetches others, if it can.
  virtual void Forget(const Credentials& refused) = 0;
};

struct CredentialsOptions {
  // A file in the format of ~/.aws/credentials, of which `profile` is read. Empty: the source is searched for.
  std::string file = {};
  std::string profile = "default";
  // For the security token service.
  std::string region = {};
  // Replaced by tests. Returns an empty text if the variable is not set.
  std::function<std::string(const char* name)> environment = nullptr;
  // The address of the instance's metadata service.
  std::string instance_metadata = "http://169.254.169.254";
};

// With options.file: that file. Permanent credentials are looked for again each minute. Otherwise the first of these
// that there is, as AWS's programs search for them:
//   AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN of the environment;
//   the file AWS_SHARED_CREDENTIALS_FILE or ~/.aws/credentials;
//   the token in AWS_WEB_IDENTITY_TOKEN_FILE, exchanged for those of AWS_ROLE_ARN at the security token service;
//   AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or …_FULL_URI;
//   the metadata service of the instance (IMDSv2), unless AWS_EC2_METADATA_DISABLED is "true".
// Temporary ones are fetched anew five minutes before they end, by one thread at a time; if that fails, the old ones
// are used until they end. The pointers outlive the result.
std::unique_ptr<CredentialsSource> MakeCredentialsSource(CredentialsOptions options, Transport* transport,
                                                         const Clock* clock);

}  // namespace entrepot::blob::s3

#endif  // ENTREPOT_SERVICES_BLOB_S3_CREDENTIALS_H_
