#include "services/runtime/config/config_loader.h"

#include <cstdint>
#include <limits>
#include <set>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/duration.pb.h"
#include "services/runtime/config/config_value.h"
#include "services/runtime/config/yaml_tree.h"
#include "services/runtime/files/file_contents.h"
#include "services/status/quoted_input.h"
#include "services/status/status_macros.h"

namespace entrepot::runtime {
namespace {

using ::google::protobuf::Descriptor;
using ::google::protobuf::FieldDescriptor;
using ::google::protobuf::Message;
using ::google::protobuf::OneofDescriptor;
using ::google::protobuf::Reflection;

bool IsDuration(const FieldDescriptor& field) {
  return field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE &&
         field.message_type()->full_name() == google::protobuf::Duration::descriptor()->full_name();
}

// Sets a field, or appends to it if it is a list.
absl::Status StoreScalar(const YamlNode& node, const FieldDescriptor* field, Message* message) {
  const Reflection* to = message->GetReflection();
  const bool add = field->is_repeated();
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32: {
      using Limits = std::numeric_limits<int32_t>;
      ASSIGN_OR_RETURN(const int64_t wide, SignedValue(node, Limits::min(), Limits::max()));
      const int32_t value = static_cast<int32_t>(wide);
      add ? to->AddInt32(message, field, value) : to->SetInt32(message, field, value);
      return absl::OkStatus();
    }
    case FieldDescriptor::CPPTYPE_INT64: {
      using Limits = std::numeric_limits<int64_t>;
      ASSIGN_OR_RETURN(const int64_t value, SignedValue(node, Limits::min(), Limits::max()));
      add ? to->AddInt64(message, field, value) : to->SetInt64(message, field, value);
      return absl::OkStatus();
    }
    case FieldDescriptor::CPPTYPE_UINT32: {
      ASSIGN_OR_RETURN(const uint64_t wide, UnsignedValue(node, std::numeric_limits<uint32_t>::max()));
      const uint32_t value = static_cast<uint32_t>(wide);
      add ? to->AddUInt32(message, field, value) : to->SetUInt32(message, field, value);
      return absl::OkStatus();
    }
    case FieldDescriptor::CPPTYPE_UINT64: {
      ASSIGN_OR_RETURN(const uint64_t value, UnsignedValue(node, std::numeric_limits<uint64_t>::max()));
      add ? to->AddUInt64(message, field, value) : to->SetUInt64(message, field, value);
      return absl::OkStatus();
    }
    case FieldDescriptor::CPPTYPE_DOUBLE: {
      ASSIGN_OR_RETURN(const double value, DecimalValue(node));
      add ? to->AddDouble(message, field, value) : to->SetDouble(message, field, value);
      return absl::OkStatus();
    }
    case FieldDescriptor::CPPTYPE_FLOAT: {
      ASSIGN_OR_RETURN(const double wide, DecimalValue(node));
      const float value = static_cast<float>(wide);
      add ? to->AddFloat(message, field, value) : to->SetFloat(message, field, value);
      return absl::OkStatus();
    }
    case FieldDescriptor::CPPTYPE_BOOL: {
      ASSIGN_OR_RETURN(const bool value, BoolValue(node));
      add ? to->AddBool(message, field, value) : to->SetBool(message, field, value);
      return absl::OkStatus();
    }
    case FieldDescriptor::CPPTYPE_ENUM: {
      ASSIGN_OR_RETURN(const auto* value, EnumValue(node, *field->enum_type()));
      add ? to->AddEnum(message, field, value) : to->SetEnum(message, field, value);
      return absl::OkStatus();
    }
    case FieldDescriptor::CPPTYPE_STRING: {
      if (field->type() == FieldDescriptor::TYPE_BYTES) {
        return absl::InvalidArgumentError("bytes fields are not supported in a file");
      }
      ASSIGN_OR_RETURN(std::string value, TextValue(node));
      add ? to->AddString(message, field, std::move(value)) : to->SetString(message, field, std::move(value));
      return absl::OkStatus();
    }
    case FieldDescriptor::CPPTYPE_MESSAGE:
      break;
  }
  return absl::InternalError(absl::StrCat("not a scalar: ", field->full_name()));
}

void AddEmpty(const FieldDescriptor* field, Message* message) {
  const Reflection* to = message->GetReflection();
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return to->AddInt32(message, field, 0);
    case FieldDescriptor::CPPTYPE_INT64:
      return to->AddInt64(message, field, 0);
    case FieldDescriptor::CPPTYPE_UINT32:
      return to->AddUInt32(message, field, 0);
    case FieldDescriptor::CPPTYPE_UINT64:
      return to->AddUInt64(message, field, 0);
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return to->AddDouble(message, field, 0);
    case FieldDescriptor::CPPTYPE_FLOAT:
      return to->AddFloat(message, field, 0);
    case FieldDescriptor::CPPTYPE_BOOL:
      return to->AddBool(message, field, false);
    case FieldDescriptor::CPPTYPE_ENUM:
      return to->AddEnum(message, field, field->default_value_enum());
    case FieldDescriptor::CPPTYPE_STRING:
      return to->AddString(message, field, "");
    case FieldDescriptor::CPPTYPE_MESSAGE:
      to->AddMessage(message, field);
  }
}

class ConfigReader {
 public:
  explicit ConfigReader(ConfigProblems* problems) : problems_(*problems) {}

  // `path` is the path of the message: "" or "limits".
  void ReadMessage(const YamlNode& node, const std::string& path, Message* message) {
    if (node.kind == YamlNode::Kind::kNothing) return;
    if (node.kind != YamlNode::Kind::kMap) return Refuse(node, path, Expected("fields (name: value)", node));
    std::set<const FieldDescriptor*> seen;
    std::set<const OneofDescriptor*> seen_oneofs;
    for (size_t i = 0; i + 1 < node.items.size(); i += 2) {
      const YamlNode& name = node.items[i];
      const absl::StatusOr<const FieldDescriptor*> known = FindField(name, *message->GetDescriptor());
      if (!known.ok()) {
        Refuse(name, path, known.status());
        continue;
      }
      const FieldDescriptor* const field = *known;
      const std::string field_path = path.empty() ? field->name() : absl::StrCat(path, ".", field->name());
      // The oneof of a proto3 optional field is not visible to users.
      const OneofDescriptor* oneof = field->real_containing_oneof();
      if (!seen.insert(field).second) {
        Refuse(name, field_path, absl::InvalidArgumentError("given twice"));
      } else if (oneof != nullptr && !seen_oneofs.insert(oneof).second) {
        Refuse(name, field_path,
               absl::InvalidArgumentError(absl::StrCat("only one of ", MembersOf(*oneof), " may be given")));
      } else {
        ReadField(node.items[i + 1], field_path, field, message);
      }
    }
  }

 private:
  void Refuse(const YamlNode& node, const std::string& path, const absl::Status& what) {
    problems_.AddUnreadable(node.line, path, what.message());
  }

  static std::string MembersOf(const OneofDescriptor& oneof) {
    std::vector<std::string> names;
    for (int i = 0; i < oneof.field_count(); ++i) names.push_back(oneof.field(i)->name());
    return absl::StrJoin(names, ", ");
  }

  static absl::StatusOr<const FieldDescriptor*> FindField(const YamlNode& name, const Descriptor& descriptor) {
    if (name.kind != YamlNode::Kind::kScalar) return Expected("a field's name", name);
    const FieldDescriptor* field = descriptor.FindFieldByName(name.text);
    if (field != nullptr) return field;
    std::vector<std::string> known;
    for (int i = 0; i < descriptor.field_count(); ++i) known.push_back(descriptor.field(i)->name());
    return absl::InvalidArgumentError(
        absl::StrCat("unknown field ", QuotedInput(name.text), "; known fields are ", absl::StrJoin(known, ", ")));
  }

  void ReadField(const YamlNode& node, const std::string& path, const FieldDescriptor* field, Message* message) {
    if (field->is_map()) return ReadMap(node, path, field, message);
    if (field->is_repeated()) return ReadList(node, path, field, message);
    ReadOne(node, path, field, message);
  }

  void ReadOne(const YamlNode& node, const std::string& path, const FieldDescriptor* field, Message* message) {
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) {
      const absl::Status status = StoreScalar(node, field, message);
      if (status.ok()) return;
      Refuse(node, path, status);
      if (field->is_repeated()) AddEmpty(field, message);
      return;
    }
    const Reflection* reflection = message->GetReflection();
    Message* part =
        field->is_repeated() ? reflection->AddMessage(message, field) : reflection->MutableMessage(message, field);
    if (!IsDuration(*field)) return ReadMessage(node, path, part);
    absl::StatusOr<google::protobuf::Duration> duration = DurationValue(node);
    if (!duration.ok()) return Refuse(node, path, duration.status());
    // Not a cast: the message's descriptor pool may have its own Duration.
    part->ParseFromString(duration->SerializeAsString());
  }

  void ReadList(const YamlNode& node, const std::string& path, const FieldDescriptor* field, Message* message) {
    if (node.kind == YamlNode::Kind::kNothing) return;
    if (node.kind != YamlNode::Kind::kList) return Refuse(node, path, Expected("a list", node));
    for (size_t i = 0; i < node.items.size(); ++i) {
      ReadOne(node.items[i], absl::StrCat(path, "[", i, "]"), field, message);
    }
  }

  void ReadMap(const YamlNode& node, const std::string& path, const FieldDescriptor* field, Message* message) {
    if (node.kind == YamlNode::Kind::kNothing) return;
    if (node.kind != YamlNode::Kind::kMap) return Refuse(node, path, Expected("keys and values", node));
    std::set<absl::string_view> seen;
    for (size_t i = 0; i + 1 < node.items.size(); i += 2) {
      const YamlNode& key = node.items[i];
      const std::string entry_path = absl::StrCat(path, "[", QuotedInput(key.text), "]");
      if (key.kind == YamlNode::Kind::kScalar && !seen.insert(key.text).second) {
        Refuse(key, entry_path, absl::InvalidArgumentError("given twice"));
        continue;
      }
      Message* entry = message->GetReflection()->AddMessage(message, field);
      ReadOne(key, path, field->message_type()->map_key(), entry);
      ReadOne(node.items[i + 1], entry_path, field->message_type()->map_value(), entry);
    }
  }

  ConfigProblems& problems_;
};

}  // namespace

absl::Status ParseConfig(absl::string_view yaml_text, absl::string_view file_name, Message* config) {
  ConfigProblems problems;
  RETURN_IF_ERROR(ParseConfig(yaml_text, file_name, config, &problems));
  return problems.ToStatus(file_name);
}

absl::Status ParseConfig(absl::string_view yaml_text, absl::string_view file_name, Message* config,
                         ConfigProblems* problems) {
  config->Clear();
  ASSIGN_OR_RETURN(YamlNode root, ParseYaml(yaml_text, file_name));
  ConfigReader(problems).ReadMessage(root, "", config);
  problems->SetFile(std::move(root));
  return absl::OkStatus();
}

absl::Status LoadConfig(const std::string& path, Message* config, ConfigProblems* problems) {
  ASSIGN_OR_RETURN(const std::string text, ReadFileContents(path, kConfiguredFileBytesMax));
  return ParseConfig(text, path, config, problems);
}

}  // namespace entrepot::runtime
