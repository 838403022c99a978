#ifndef ENTREPOT_SERVICES_CTL_SESSION_H_
#define ENTREPOT_SERVICES_CTL_SESSION_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "entrepot/auth/v1/administration.pb.h"
#include "entrepot/manifest/v1/maintenance.pb.h"
#include "google/protobuf/message.h"
#include "services/ctl/command_line.h"
#include "services/ctl/http_client.h"

namespace entrepot::ctl {

// Where a command finds the registry and who runs it. The password is asked for, and a token fetched, when the registry
// is first spoken to.
class Session {
 public:
  struct Options {
    std::string registry;  // "https://registry.example", without a slash at its end
    std::string username;
    std::string password_file;
    std::string password;  // Of the environment.
    std::string ca_file;
    bool json = false;
  };
  // From the command line and the environment.
  static Options OptionsOf(const CommandLine& line);

  explicit Session(Options options);

  // What the auth service answers. Errors say what the registry said; kUnauthenticated, kInvalidArgument: of the user's
  // own making, and kUnavailable: there was no answer.
  absl::StatusOr<auth::v1::AdministerResponse> Administer(const auth::v1::AdministerRequest& request);
  // What the manifest service answers; without a login where the registry has no accounts. kNotFound: 404.
  absl::StatusOr<manifest::v1::MaintainResponse> Maintain(const manifest::v1::MaintainRequest& request);
  absl::Status DeleteRepository(const std::string& name);

  // After a call that succeeded: whether the registry has accounts.
  bool logged_in() const { return !token_.empty(); }
  bool json() const { return options_.json; }

 private:
  // kNotFound: the registry has no accounts.
  absl::Status LogIn();
  absl::StatusOr<std::string> Password();
  absl::StatusOr<HttpAnswer> Send(HttpRequest request);
  // A POST with a message, answered by another one.
  absl::Status Exchange(const std::string& url, const google::protobuf::Message& request,
                        google::protobuf::Message* response);

  const Options options_;
  HttpClient http_;
  std::string password_;
  std::string token_;
  bool open_ = false;  // The registry has no accounts.
};

// What a registry's error says to a person: "403 DENIED: ..., ...".
std::string ErrorText(const HttpAnswer& answer);

}  // namespace entrepot::ctl

#endif  // ENTREPOT_SERVICES_CTL_SESSION_H_
