#ifndef ENTREPOT_SERVICES_BLOB_S3_TESTING_FAKE_S3_SERVER_H_
#define ENTREPOT_SERVICES_BLOB_S3_TESTING_FAKE_S3_SERVER_H_

#include <memory>
#include <string>

#include "entrepot/config/v1/shared.pb.h"
#include "services/blob/s3/testing/fake_s3.h"
#include "services/core/time/clock.h"
#include "services/kv/testing/temporary_directory.h"
#include "services/outbound/testing/scripted_server.h"

namespace entrepot::blob::s3 {

// A FakeS3 that listens on 127.0.0.1.
class FakeS3Server {
 public:
  // `options.endpoint` is replaced.
  explicit FakeS3Server(FakeS3::Options options = {});

  FakeS3& s3() { return *s3_; }
  // The configuration of a store in it, with defaults, small parts and the prefix "r".
  config::v1::ObjectStorage Config();

 private:
  void Answer(const outbound::ScriptedServer::Request& request, outbound::ScriptedServer::Connection& connection);

  const SystemClock clock_;
  kv::TemporaryDirectory directory_;
  std::unique_ptr<FakeS3> s3_;
  // The last member: its threads use the others.
  std::unique_ptr<outbound::ScriptedServer> server_;
};

}  // namespace entrepot::blob::s3

#endif  // ENTREPOT_SERVICES_BLOB_S3_TESTING_FAKE_S3_SERVER_H_
