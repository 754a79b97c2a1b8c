# A role with which the compliance portal reads this account's configuration as HIPAA evidence.

terraform {
  required_version = ">= 1.3"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 4.0"
    }
  }
}

variable "principal_arn" {
  description = "The identity that assumes this role."
  type        = string$principal_default
}

variable "external_id" {
  description = "The external ID that the portal made for this connection."
  type        = string$external_id_default
}

variable "role_name" {
  description = "The name of the role."
  type        = string
  default     = $role_name
}

data "aws_iam_policy_document" "trust" {
  statement {
    effect  = "Allow"
    actions = ["sts:AssumeRole", "sts:SetSourceIdentity"]

    principals {
      type        = "AWS"
      identifiers = [var.principal_arn]
    }

    condition {
      test     = "StringEquals"
      variable = "sts:ExternalId"
      values   = [var.external_id]
    }
  }
}

resource "aws_iam_role" "this" {
  name                 = var.role_name
  description          = "Lets the compliance portal read this account's configuration."
  assume_role_policy   = data.aws_iam_policy_document.trust.json
  max_session_duration = 3600
}

$policies
output "role_arn" {
  description = "Give this to the portal."
  value       = aws_iam_role.this.arn
}
