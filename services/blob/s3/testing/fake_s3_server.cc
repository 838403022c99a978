#include "services/blob/s3/testing/fake_s3_server.h"

#include <fstream>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "services/runtime/config/config_defaults.h"

namespace entrepot::blob::s3 {

FakeS3Server::FakeS3Server(FakeS3::Options options) {
  server_ = std::make_unique<outbound::ScriptedServer>(
      [this](const outbound::ScriptedServer::Request& request, outbound::ScriptedServer::Connection& connection) {
        Answer(request, connection);
      });
  options.endpoint = absl::StrCat("http://127.0.0.1:", server_->port());
  s3_ = std::make_unique<FakeS3>(std::move(options), &clock_);
}

config::v1::ObjectStorage FakeS3Server::Config() {
  const std::string file = directory_.path() + "/credentials";
  std::ofstream(file) << "[default]\naws_access_key_id = key\naws_secret_access_key = secret\n";
  config::v1::ObjectStorage config;
  config::v1::S3& s3 = *config.mutable_s3();
  s3.set_endpoint(absl::StrCat("http://127.0.0.1:", server_->port()));
  s3.set_bucket("bucket");
  s3.set_prefix("r");
  s3.set_credentials_file(file);
  s3.set_part_bytes(1 << 20);
  runtime::FillDefaults(&config);
  return config;
}

void FakeS3Server::Answer(const outbound::ScriptedServer::Request& request,
                          outbound::ScriptedServer::Connection& connection) {
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(absl::string_view(request.text), absl::MaxSplits("\r\n\r\n", 1));
  WireRequest wire{.method = request.method, .url = absl::StrCat("http://127.0.0.1:", server_->port(), request.target)};
  wire.body = parts.second;
  for (const absl::string_view line : absl::StrSplit(parts.first, "\r\n")) {
    const std::pair<std::string, std::string> field = absl::StrSplit(line, absl::MaxSplits(": ", 1));
    if (!absl::StartsWith(line, request.method)) wire.headers.push_back(field);
  }
  const absl::StatusOr<std::unique_ptr<WireResponse>> response = s3_->Send(wire);
  if (!response.ok()) return connection.Close();
  std::string body;
  char piece[16 << 10];
  while (true) {
    const absl::StatusOr<size_t> count = (*response)->Read(piece, sizeof(piece));
    if (!count.ok()) connection.Close();
    if (!count.ok() || *count == 0) break;
    body.append(piece, *count);
  }
  std::string head = absl::StrCat("HTTP/1.1 ", (*response)->status(), " X\r\n");
  for (const auto& [name, value] : (*response)->headers()) absl::StrAppend(&head, name, ": ", value, "\r\n");
  connection.Write(absl::StrCat(head, "\r\n", body));
}

}  // namespace entrepot::blob::s3
